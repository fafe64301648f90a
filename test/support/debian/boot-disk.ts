import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool } from '../../../src/images/run-tool.js'
import { convert } from '../../../src/qemu/qemu-img/convert.js'
import { GRUB_BOOT_SECTOR, GRUB_CORE } from './guest-files.js'

const SECTOR = 512
const DISK_SIZE = 2 * 2 ** 30
/** Where the only partition starts; GRUB lies before it. */
const PARTITION_START = 2 ** 20
const PARTITION_TABLE = 446
const LINUX_PARTITION = 0x83

/** Said in full: GRUB must be able to read it, whatever the host's mke2fs.conf says. */
const FEATURES =
  'none,has_journal,ext_attr,dir_index,filetype,extent,sparse_super,large_file,huge_file,dir_nlink,extra_isize,flex_bg,resize_inode'

/** Unpacks the archive and makes the filesystem under fakeroot, which keeps the owners in mind. */
const MAKE_FILESYSTEM = `
mkdir "$2"
tar --extract --numeric-owner --exclude='./dev/*' --directory="$2" --file="$1"
# Empty: each guest gets an id of its own, but systemd takes no boot for the first one.
: > "$2/etc/machine-id"
# There is nothing that a first boot would have to bring up to date.
touch --reference="$2/usr" "$2/etc/.updated" "$2/var/.updated"
mke2fs -q -F -t ext4 -O ${FEATURES} -m 0 -b 4096 -I 256 -J size=16 -L debian -d "$2" \\
  -E offset=${PARTITION_START},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0 \\
  "$3" ${(DISK_SIZE - PARTITION_START) / 1024}k
`

/** The table of the disk's first sector: one partition, and three entries of zeros. */
function partitionTable(): Buffer {
  const entry = Buffer.alloc(64)
  entry[0] = 0x80
  // No cylinders: the BIOS and GRUB go by the numbers of sectors.
  entry.fill(0xff, 1, 4)
  entry[4] = LINUX_PARTITION
  entry.fill(0xff, 5, 8)
  entry.writeUInt32LE(PARTITION_START / SECTOR, 8)
  entry.writeUInt32LE((DISK_SIZE - PARTITION_START) / SECTOR, 12)
  return entry
}

/**
 * Writes GRUB and the partition table into a disk's first sectors. Its boot sector and its core
 * expect each other there as they were built, so nothing has to be patched.
 */
async function writeBootLoader(root: string, disk: string): Promise<void> {
  const bootSector = await readFile(join(root, GRUB_BOOT_SECTOR))
  const core = await readFile(join(root, GRUB_CORE))
  if (SECTOR + core.length > PARTITION_START)
    throw new Error('GRUB does not fit before the partition')
  // Over code that is only for floppy disks.
  partitionTable().copy(bootSector, PARTITION_TABLE)
  bootSector.writeUInt16LE(0xaa55, 510)
  await using file = await open(disk, 'r+')
  await file.write(bootSector, 0, SECTOR, 0)
  await file.write(core, 0, core.length, SECTOR)
}

/**
 * Makes a disk that a BIOS boots.
 *
 * @param archive - the tar file of the root filesystem
 * @param work - an existing directory
 * @param target - the qcow2 file to write
 */
export async function makeBootDisk(archive: string, work: string, target: string): Promise<void> {
  const root = join(work, 'root')
  const raw = join(work, 'disk.raw')
  await runTool('fakeroot', ['sh', '-ec', MAKE_FILESYSTEM, 'sh', archive, root, raw])
  await writeBootLoader(root, raw)
  await convert({ from: raw, fromFormat: 'raw', to: target, toFormat: 'qcow2' })
}
