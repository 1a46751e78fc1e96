#!/bin/sh
# Stands in for Kafka's kafka-mirror-maker.sh: the same arguments, handed to heliostat run. The process id stays the
# same, so that scripts, unit files and signals reach the mirror itself.

case $0 in
*/*) self=$0 ;;
*) self=./$0 ;;
esac
while [ -L "$self" ]; do
    link=$(readlink "$self") || exit 2
    case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
    esac
done

# nohup has SIGHUP ignored, which Node undoes at its start: until the mirror takes the signal itself, a moment later, it
# would be the end. So a script that starts it and ends at once, and its terminal with it, needs the mirror out of the
# terminal's reach, in a session of its own.
is_hangup_ignored() {
    ! sh -c 'trap "exit 0" HUP; kill -HUP $$; :; exit 1'
}

# setsid keeps the process id unless the process leads a group, as a job of an interactive shell does. Such a job is
# sent the signal when its user leaves, and not that soon.
leads_group() {
    fields=$(cat "/proc/$$/stat" 2>/dev/null) || return 0
    fields=${fields##*) }
    fields=${fields#* }
    fields=${fields#* }
    [ "${fields%% *}" = "$$" ]
}

if command -v setsid >/dev/null && is_hangup_ignored && ! leads_group; then
    exec setsid "${self%/*}/heliostat" run "$@"
fi
exec "${self%/*}/heliostat" run "$@"
