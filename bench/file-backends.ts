import { join } from 'node:path'
import { externalBackend } from '../src/backends/external/external-backend.js'
import { internalBackend } from '../src/backends/internal/internal-backend.js'
import { createBlank } from '../src/qemu/qemu-img/create.js'
import { runQemuImg } from '../src/qemu/qemu-img/run.js'
import type { Comparison } from './comparison.js'

const SIZE = 2 ** 30

/** `get` of the backends that work on files, against the bare qemu-img calls that it stands for. */
export async function fileBackends(directory: string): Promise<Comparison[]> {
  const [external, internal] = [
    join(directory, 'external.qcow2'),
    join(directory, 'internal.qcow2'),
  ]
  const disk = (file: string) => ({ disks: [{ name: 'disk', file, format: 'qcow2' as const }] })
  for (const file of [external, internal]) await createBlank(file, SIZE)
  await externalBackend.set(disk(external), 'clean')
  await internalBackend.set(disk(internal), 'clean')
  const bare = async (args: string[], file: string) => {
    await runQemuImg([...args, file], file)
  }
  const overlay = ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', external]
  return [
    {
      title: 'external `get` against bare `qemu-img create`',
      ours: { name: 'get', run: () => externalBackend.get(disk(external), 'clean') },
      against: { name: 'create', run: () => bare(overlay, join(directory, 'bare.qcow2')) },
      limit: 1.3,
    },
    {
      title: 'internal `get` against bare `qemu-img snapshot -l` and `-a`',
      ours: { name: 'get', run: () => internalBackend.get(disk(internal), 'clean') },
      against: {
        name: 'snapshot',
        async run() {
          await bare(['snapshot', '-l'], internal)
          await bare(['snapshot', '-q', '-a', 'clean'], internal)
        },
      },
      limit: 1.3,
    },
  ]
}
