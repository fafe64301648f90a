/** What scripts exit with when they have said what is wrong with the paths that they were given. */
export const REFUSED = 44

const ROOT = '/run/disk'

/** What disks may hold, and by which words at which places it is known; what has none may be ext2, ext3 or ext4. */
const KINDS = [
  ['xfs', 0, 'XFSB'],
  ['btrfs', 65_600, '_BHRfS_M'],
  ['LUKS', 0, 'LUKS'],
  ['LVM', 536, 'LVM2'],
  ['swap', 4086, 'SWAPSPACE2'],
  ['NTFS', 3, 'NTFS'],
  ['FAT', 82, 'FAT32'],
  ['FAT', 54, 'FAT1'],
]

/**
 * Mounts a filesystem; of btrfs, the subvolume that distributions have their root directory in, if it is not the
 * one that is mounted by default.
 */
const OPEN = `
kind() {
  while read -r kind place word; do
    [ "$(dd if="$1" bs=1 skip="$place" count=\${#word} 2>/dev/null)" = "$word" ] && break
    kind=
  done <<EOF
${KINDS.map((kind) => kind.join(' ')).join('\n')}
EOF
  echo "$kind"
}
open() {
  # An older filesystem may have left its words.
  mount -t ext4 "$1" ${ROOT} 2>/dev/null && return
  type=$(kind "$1")
  case $type in
    xfs | btrfs) modprobe $type ;;
    *) return 1 ;;
  esac
  mount -t $type "$1" ${ROOT} 2>/dev/null || return
  [ $type = btrfs ] && [ ! -d ${ROOT}/etc ] || return 0
  for subvolume in root @ @rootfs; do
    [ -d ${ROOT}/$subvolume/etc ] || continue
    umount ${ROOT}
    mount -t btrfs -o subvol=$subvolume "$1" ${ROOT}
    return
  done
}
`

/**
 * Mounts the first filesystem on the second disk that has an `/etc`, else the first that can be mounted. What is in
 * it is looked at with it as the root directory, so that its links lead where they do in its own guest: the
 * static busybox, in the directory of devices, goes along. Prints what is there if nothing can be mounted.
 */
export const OPEN_DISK = `
${OPEN}
cp /bin/busybox /dev/busybox
mkdir -p ${ROOT}
chosen=
set -- /dev/vdb /dev/vdb[0-9] /dev/vdb[0-9][0-9]
for device; do
  open "$device" || continue
  if [ -d ${ROOT}/etc ]; then
    chosen=$device
    umount ${ROOT}
    break
  fi
  chosen=\${chosen:-$device}
  umount ${ROOT}
done
if [ -z "$chosen" ]; then
  for device; do
    kind=$(kind "$device")
    [ -z "$kind" ] || echo "$kind on \${device#/dev/}"
  done
  exit 1
fi
open "$chosen" || exit 1
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
