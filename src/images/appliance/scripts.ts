/** What scripts exit with when they have said what is wrong with the paths that they were given. */
export const REFUSED = 44

const ROOT = '/run/disk'

/**
 * Mounts the first filesystem on the second disk that has an `/etc`, else the first that can be mounted. What is in
 * it is looked at with it as the root directory, so that its links lead where they do in its own guest: the
 * static busybox, in the directory of devices, goes along. Prints what is there if nothing can be mounted.
 */
export const OPEN_DISK = `
cp /bin/busybox /dev/busybox
mkdir -p ${ROOT}
chosen=
for device in /dev/vdb /dev/vdb[0-9] /dev/vdb[0-9][0-9]*; do
  mount -t ext4 "$device" ${ROOT} 2>/dev/null || continue
  if [ -d ${ROOT}/etc ]; then
    chosen=$device
    umount ${ROOT}
    break
  fi
  chosen=\${chosen:-$device}
  umount ${ROOT}
done
[ -n "$chosen" ] || { blkid /dev/vdb*; exit 1; }
mount -t ext4 "$chosen" ${ROOT} || exit 1
if [ ! -d ${ROOT}/dev ]; then
  mkdir ${ROOT}/dev || exit 1
  : >/run/made-dev
fi
mount -o bind /dev ${ROOT}/dev
`

/** Runs its first argument as a script in the mounted filesystem. */
export const IN_ROOT = `
script=$1
shift
exec chroot ${ROOT} /dev/busybox sh -c "$script" sh "$@"
`

/** Writes all out. */
export const CLOSE_DISK = `
umount ${ROOT}/dev && { [ ! -e /run/made-dev ] || rmdir ${ROOT}/dev; } && umount ${ROOT} && sync
`

/** Packs paths from the root directory into the disk for transfers. */
export const PACK = `
for path; do
  [ -e "$path" ] || [ -L "$path" ] || missing="$missing\${missing:+, }$path"
done
[ -z "$missing" ] || { echo "there is no $missing"; exit ${REFUSED}; }
cd /
for path; do
  set -- "$@" ".$path"
  shift
done
/dev/busybox tar -cf /dev/vdc "$@"
`

/**
 * Unpacks the disk for transfers to a path: into a directory, or, if there is only one thing, under the name
 * of the path in a directory that is there. Its second argument is the name of the one thing.
 */
export const UNPACK = `
umask 022
target=$1
name=$2
if [ -d "$target" ]; then
  exec /dev/busybox tar -xpf /dev/vdc -C "$target"
fi
parent=\${target%/*}/
if [ -z "$name" ] || [ ! -d "$parent" ] || [ "$target" = "$parent" ]; then
  echo "there is no directory $target"
  exit ${REFUSED}
fi
temporary=\${parent}.vm-states-inject
/dev/busybox mkdir "$temporary" && /dev/busybox tar -xpf /dev/vdc -C "$temporary" || exit 1
if [ -e "$target" ] && [ -d "$temporary/$name" ]; then
  echo "$target is there, and is no directory"
  exit ${REFUSED}
fi
/dev/busybox mv -f "$temporary/$name" "$target" && /dev/busybox rmdir "$temporary"
`
