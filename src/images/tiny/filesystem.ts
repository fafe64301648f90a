import { readdir, rm } from 'node:fs/promises'
import { convert } from '../../qemu/qemu-img/convert.js'
import { runTool } from '../run-tool.js'

/** Bytes that the guest's root filesystem has; the file only holds what is used. */
const DISK_SIZE = 512 * 2 ** 20

/** Said in full, so that neither the host's mke2fs.conf nor its version decides. */
const FEATURES =
  'none,has_journal,ext_attr,dir_index,filetype,extent,sparse_super,large_file,huge_file,dir_nlink,extra_isize,flex_bg'

/**
 * Makes a qcow2 disk without partitions that holds a directory as an ext4 filesystem, in which
 * everything belongs to root, whoever owns the directory.
 */
export async function makeDisk(
  root: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const raw = `${target}.raw`
  const mke2fs = ['-q', '-F', '-t', 'ext4', '-O', FEATURES, '-m', '0', '-b', '4096', '-I', '256']
  const layout = [
    '-N',
    '16384',
    '-J',
    'size=4',
    '-L',
    'tiny',
    '-E',
    'root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0',
  ]
  const install = 'e2fsprogs'
  const source = ['-d', root, raw, `${DISK_SIZE / 1024}k`]
  await runTool('mke2fs', [...mke2fs, ...layout, ...source], { signal, install })

  // mke2fs copies the builder's user and group.
  const paths = await readdir(root, { recursive: true })
  const commands = paths.flatMap((path) => [
    `set_inode_field "/${path}" uid 0`,
    `set_inode_field "/${path}" gid 0`,
  ])
  const input = `${commands.join('\n')}\n`
  await runTool('debugfs', ['-w', '-f', '-', raw], { input, signal, install })

  await convert({ from: raw, fromFormat: 'raw', to: target, toFormat: 'qcow2' }, { signal })
  await rm(raw)
}
