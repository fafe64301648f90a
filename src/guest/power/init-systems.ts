/**
 * Waits until the init system has brought the guest up; a shell script for any Linux guest. systemd
 * tells by itself, also where units have failed (`degraded`); before its version 240 it does not wait.
 * OpenRC shows the runlevel that it is in, and that it is on the way to one. Of others nothing is
 * known. Prints what went wrong, and exits with 1.
 */
export const AWAIT_SETTLED = `
if [ -d /run/systemd/system ]; then
  state=$(systemctl is-system-running --wait 2>/dev/null)
  while :; do
    case $state in
      running | degraded) exit 0 ;;
      initializing | starting | unknown | '') sleep 0.3 ;;
      *) echo "systemd is in the state \\"$state\\""; exit 1 ;;
    esac
    state=$(systemctl is-system-running 2>/dev/null)
  done
elif [ -d /run/openrc ]; then
  while :; do
    level=$(cat /run/openrc/softlevel 2>/dev/null)
    case $level in
      sysinit | boot | '') ;;
      *) [ -d /run/openrc/rc.starting ] || [ -d /run/openrc/rc.stopping ] || exit 0 ;;
    esac
    sleep 0.3
  done
fi
`

/** Prints what the init system has not done yet, or could not, one to a line. */
export const SHOW_UNSETTLED = `
if [ -d /run/systemd/system ]; then
  systemctl list-jobs --no-legend --no-pager | while read -r id unit job; do echo "$unit: $job"; done
  systemctl list-units --failed --no-legend --no-pager --plain |
    while read -r unit rest; do echo "$unit: failed"; done
elif [ -d /run/openrc ]; then
  echo "runlevel $(cat /run/openrc/softlevel)"
  for state in starting failed; do
    for service in $(ls "/run/openrc/$state"); do echo "$service: $state"; done
  done
fi
`
