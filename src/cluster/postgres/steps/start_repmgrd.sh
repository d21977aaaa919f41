[ -n "$(recovery)" ] || fail "the server here does not answer: repmgrd would end at once"
systemctl enable -q repmgrd.service 2>/dev/null
[ "$(systemctl is-enabled repmgrd.service 2>/dev/null)" = enabled ] || fail "repmgrd.service cannot be enabled"
systemctl reset-failed repmgrd.service 2>/dev/null
systemctl restart repmgrd.service || fail "repmgrd.service: $(journalctl -u repmgrd -n 6 -o cat --no-pager)"
# It counts once the server knows it, and it is still the same a moment later.
for i in $(seq 40); do
    pid=$(systemctl show -p MainPID --value repmgrd.service)
    [ "$pid" = 0 ] || [ "$(ask repmgr 'SELECT repmgr.get_repmgrd_pid()' 2>/dev/null)" != "$pid" ] || { sleep 1; [ "$(systemctl show -p MainPID --value repmgrd.service)" != "$pid" ] || exit 0; }
    sleep 0.5
done
fail "repmgrd does not stay up: $(journalctl -u repmgrd -n 6 -o cat --no-pager)"
