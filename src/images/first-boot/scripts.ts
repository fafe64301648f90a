/** Ends the last line of a file, after which another one comes. */
const END_LINE = `
end_line() { [ ! -s "$1" ] || [ -z "$(/dev/busybox tail -c 1 "$1")" ] || echo >>"$1"; }
`

/** The host's name, in its two files. */
export const SET_HOSTNAME = `${END_LINE}
echo "$1" >/etc/hostname
[ -e /etc/hosts ] || echo '127.0.0.1 localhost' >/etc/hosts
/dev/busybox sed -i '/^127\\.0\\.1\\.1[[:space:]]/d' /etc/hosts
end_line /etc/hosts
echo "127.0.1.1 $1 \${1%%.*}" >>/etc/hosts
`

/** Keys that let root in, one to an argument. */
export const ADD_KEYS = `${END_LINE}
umask 077
/dev/busybox mkdir -p /root/.ssh
end_line /root/.ssh/authorized_keys
printf '%s\\n' "$@" >>/root/.ssh/authorized_keys
/dev/busybox chmod 700 /root/.ssh
/dev/busybox chmod 600 /root/.ssh/authorized_keys
`

/** By the guest's own program, which knows how it keeps passwords. */
export const SET_PASSWORD = `
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
printf 'root:%s\\n' "$1" | chpasswd
`

/** Unpacks files; directories that are there stay as they are. */
export const PUT_FILES = `
umask 022
/dev/busybox tar -xpf /dev/vdc -C /
`

/** A line for the guest's own shell. */
export const RUN_LINE = `
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
for kind in proc sysfs; do
  place=/\${kind%fs}
  [ -d $place ] && /dev/busybox mount -t $kind $kind $place
done
/bin/sh -c "$1" </dev/null
code=$?
for place in /proc /sys; do
  [ -d $place ] && /dev/busybox umount $place
done
exit $code
`
