ask postgres CHECKPOINT || fail_log "no checkpoint"
