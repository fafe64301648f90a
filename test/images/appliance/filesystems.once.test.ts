import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { extractFiles } from '../../../src/images/appliance/extract-files.js'
import { injectFiles } from '../../../src/images/appliance/inject-files.js'
import type { Disk } from '../../../src/qemu/machine/launch-options.js'
import { bootTiny } from '../../guest/tiny-vm.js'
import { useScratchWithTiny } from '../scratch-with-tiny.js'
import { testOpener } from './opener.js'

const scratch = useScratchWithTiny()
let count = 0

async function opener() {
  const directory = scratch().path(`work-${count++}`)
  await mkdir(directory)
  return { ...(await testOpener(scratch())), directory }
}

/** An empty disk with a filesystem. */
async function formatted(type: string): Promise<Disk> {
  const file = scratch().path('disk.raw')
  await writeFile(file, '')
  await truncate(file, 400 * 2 ** 20)
  await execa(`/sbin/mkfs.${type}`, ['-q', file])
  return { name: 'image', file, format: 'raw' }
}

/** Makes a subvolume in a btrfs that is mounted: BTRFS_IOC_SUBVOL_CREATE, with the name after a descriptor. */
const CREATE_SUBVOLUME = `
open my $top, "<", "/mnt" or die $!;
my $wanted = pack "q a4088", 0, $ARGV[0];
ioctl $top, 0x5000940e, $wanted or die $!`

async function inAndOut(disk: Disk) {
  await writeFile(scratch().path('note'), 'in and out')
  await injectFiles('the disk', disk, [scratch().path('note')], '/etc/note', await opener())
  await extractFiles('the disk', disk, ['/etc/note'], scratch().path('out'), await opener())
  return await readFile(scratch().path('out/note'), 'utf8')
}

it.each(['xfs', 'btrfs', 'ext2'])('files go into and out of a disk with %s', async (type) => {
  const disk = await formatted(type)
  await mkdir(scratch().path('etc'))
  await injectFiles('the disk', disk, [scratch().path('etc')], '/', await opener())
  expect(await inAndOut(disk)).toBe('in and out')
})

it.each(['root', '@', '@rootfs'])(
  'of btrfs, the subvolume %s is opened where it has the system',
  async (name) => {
    const disk = await formatted('btrfs')
    await using tiny = await bootTiny({ disks: [disk] })
    await tiny.vm.$`modprobe btrfs; mkdir -p /mnt; mount -t btrfs /dev/vdb /mnt`
    for (const each of ['home', name]) await tiny.vm.$`perl -e ${CREATE_SUBVOLUME} ${each}`
    await tiny.vm.$`mkdir /mnt/${name}/etc; umount /mnt; sync`
    await tiny.process.close()
    expect(await inAndOut(disk)).toBe('in and out')

    await using again = await bootTiny({ disks: [disk] })
    await again.vm.$`modprobe btrfs; mkdir -p /mnt; mount -t btrfs /dev/vdb /mnt`
    expect(await again.vm.readFile(`/mnt/${name}/etc/note`)).toBe('in and out')
  },
)

it('what cannot be mounted is named', async () => {
  const file = scratch().path('disk.raw')
  await writeFile(file, Buffer.concat([Buffer.from('LUKS'), Buffer.alloc(2 ** 20)]))
  const disk: Disk = { name: 'image', file, format: 'raw' }
  const opened = extractFiles(
    'the disk',
    disk,
    ['/etc/note'],
    scratch().path('out'),
    await opener(),
  )
  await expect(opened).rejects.toMatchObject({
    code: 'IMAGE_UNSUPPORTED',
    message: expect.stringMatching(/Found: LUKS on vdb$/),
  })
})
