import { join } from 'node:path'
import { externalBackend } from '../src/backends/external/external-backend.js'
import type { ImageBackend } from '../src/backends/image-backend.js'
import { internalBackend } from '../src/backends/internal/internal-backend.js'
import { createBlank } from '../src/qemu/qemu-img/create.js'
import { runQemuImg } from '../src/qemu/qemu-img/run.js'
import { getState, type Subject, setState } from '../src/states/policies/operations.js'
import type { Comparison } from './comparison.js'

const SIZE = 2 ** 30

/** `get` with its policies, of the backends on files, against the bare qemu-img calls in it. */
export async function fileBackends(directory: string): Promise<Comparison[]> {
  const [external, internal] = [
    join(directory, 'external.qcow2'),
    join(directory, 'internal.qcow2'),
  ]
  const clean = (backend: ImageBackend, file: string) => {
    const target = { disks: [{ name: 'disk', file, format: 'qcow2' as const }] }
    return { backend, target, tag: 'clean' }
  }
  const ours = {
    external: clean(externalBackend, external),
    internal: clean(internalBackend, internal),
  }
  for (const file of [external, internal]) await createBlank(file, SIZE)
  for (const subject of Object.values(ours)) await setState(subject)
  const get = async (subject: Subject) => {
    await getState(subject)
  }
  const bare = async (args: string[], file: string) => {
    await runQemuImg([...args, file], file)
  }
  const overlay = ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', external]
  return [
    {
      title: 'external `get` against bare `qemu-img create`',
      ours: { name: 'get', run: () => get(ours.external) },
      against: { name: 'create', run: () => bare(overlay, join(directory, 'bare.qcow2')) },
      limit: 1.3,
    },
    {
      title: 'internal `get` against bare `qemu-img snapshot -l` and `-a`',
      ours: { name: 'get', run: () => get(ours.internal) },
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
