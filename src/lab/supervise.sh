# Keeps one node of a lab running: nspawn is started again when it ends with status 133, which is a reboot
# inside the node, and only then.
# Arguments: the node's folder, its supervisor's group, the machine's name, the host's name, the bridge, then the
# groups that the node itself joins.
folder=$1 own=$2 machine=$3 host=$4 bridge=$5
shift 5
# A group that is gone means that the lab was removed meanwhile.
echo 0 >"$own/cgroup.procs" || exit 1
cd / || exit 1

# Pid and start time together name a process for good.
note() {
	start=$(cut -d' ' -f22 "/proc/$2/stat") || return
	echo "$2 $start" >"$folder/$1.pid.new" && mv "$folder/$1.pid.new" "$folder/$1.pid"
}

note supervisor $$
while :; do
	# After a hard end the link goes with the node's last process, a moment later.
	tries=0
	while [ -e "/sys/class/net/vb-$machine" ] && [ $tries -lt 100 ]; do
		sleep 0.05
		tries=$((tries + 1))
	done
	# The last start divided its group; only a group without division may be joined again.
	for group; do
		find "$group" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
		for controller in $(cat "$group/cgroup.subtree_control" 2>/dev/null); do
			echo "-$controller" >"$group/cgroup.subtree_control"
		done
	done
	(
		for group; do
			echo 0 >"$group/cgroup.procs" || exit 1
		done
		SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_LOG_TARGET=console exec systemd-nspawn --quiet --boot \
			--directory="$folder/root" --machine="$machine" --hostname="$host" --register=no --keep-unit \
			--network-veth --network-bridge="$bridge" --resolv-conf=off --timezone=off --link-journal=no \
			--kill-signal=SIGRTMIN+3 --rlimit=NOFILE=1024:524288 --console=read-only
	) &
	node=$!
	note nspawn $node
	wait $node
	[ $? = 133 ] || exit 0
done
