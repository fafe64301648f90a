/**
 * Scripts for any Linux guest with systemd, OpenRC or scripts in `/etc/init.d` (SysV); `$1` is the
 * service's name. Where there is none of that name, they exit with this code.
 */
export const NO_SUCH_SERVICE = 44

const MISSING = `exit ${NO_SUCH_SERVICE}`

/**
 * Prints one word of what a service does. Exit codes of SysV scripts are those of the LSB: 0 for one that
 * runs, 1 and 2 for one that is dead and left a file, 3 for one that does not run.
 */
export const SHOW_SERVICE = `
if [ -d /run/systemd/system ]; then
  [ "$(systemctl show --property=LoadState --value -- "$1")" != not-found ] || ${MISSING}
  case $(systemctl show --property=ActiveState --value -- "$1") in
    active | reloading) echo running ;;
    activating) echo starting ;;
    deactivating) echo stopping ;;
    failed) echo failed ;;
    *) echo stopped ;;
  esac
elif [ -d /run/openrc ]; then
  rc-service --exists "$1" || ${MISSING}
  rc-service "$1" status >/dev/null 2>&1
  case $? in
    0) echo running ;;
    4) echo stopping ;;
    8) echo starting ;;
    32) echo failed ;;
    *) echo stopped ;;
  esac
else
  [ -x "/etc/init.d/$1" ] || ${MISSING}
  "/etc/init.d/$1" status >/dev/null 2>&1
  case $? in
    0) echo running ;;
    1 | 2) echo failed ;;
    *) echo stopped ;;
  esac
fi
`

/**
 * Does what `$2` says: `start`, `stop` or `restart`. A script may leave its service in the background, which has the
 * script's output open for as long as it runs.
 */
export const CONTROL_SERVICE = `
control() {
  output=$(mktemp) || exec "$@"
  "$@" >"$output" 2>&1
  status=$?
  cat "$output" >&2
  rm -f "$output"
  exit $status
}
if [ -d /run/systemd/system ]; then
  [ "$(systemctl show --property=LoadState --value -- "$1")" != not-found ] || ${MISSING}
  exec systemctl "$2" -- "$1"
elif [ -d /run/openrc ]; then
  rc-service --exists "$1" || ${MISSING}
  control rc-service "$1" "$2"
else
  [ -x "/etc/init.d/$1" ] || ${MISSING}
  control "/etc/init.d/$1" "$2"
fi
`

/** Prints what there is to know of a service that does not run. */
export const EXPLAIN_SERVICE = `
if [ -d /run/systemd/system ]; then systemctl status --no-pager --full --lines=20 -- "$1"
elif [ -d /run/openrc ]; then rc-service "$1" status
else "/etc/init.d/$1" status
fi 2>&1
`
