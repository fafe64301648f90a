import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBlank } from '../src/qemu/qemu-img/create.js'
import { snapshotCreate } from '../src/qemu/qemu-img/snapshots.js'
import { writeMeta } from '../src/states/graph/state-meta.js'
import { openStore } from '../src/store/store.js'
import type { Comparison } from './comparison.js'
import { LARGE, makeLargeProject } from './large-project.js'

const COMMAND = fileURLToPath(new URL('../dist/cli/bin.js', import.meta.url))

const STATES = 1000

function run(cwd: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')} in ${cwd}: ${stderr}`)
}

/** Fills a store with states as builds leave them, but for their disks, which are empty. */
async function fillStore(root: string): Promise<void> {
  await using store = await openStore(root)
  for (let index = 0; index < STATES; index += 1) {
    const draft = await store.objects.createDraft()
    const disk = join(draft.directory, 'disk.qcow2')
    await writeFile(disk, '')
    const meta = writeMeta(
      {
        owner: 'bench',
        state: `state-${index}`,
        parent: 'root',
        liveness: 'disk',
        members: {
          vm: {
            files: {
              liveness: 'disk',
              backend: 'external',
              disks: [{ name: 'disk', file: disk, format: 'qcow2' }],
            },
          },
        },
        bases: [],
        parts: {},
        seconds: 1,
        worth: 1,
      },
      draft.directory,
    )
    const key = `bench-${index}`
    const object = await draft.commit({ key, meta })
    await store.keys.point(key, object.id)
  }
}

/** A project with a configuration and a states file, and its store. */
async function makeProject(directory: string): Promise<void> {
  await mkdir(directory)
  await fillStore(join(directory, 'store'))
  const config = `export default { states: 'states.ts', store: '${join(directory, 'store')}' }\n`
  await writeFile(join(directory, 'states.config.ts'), config)
  const states = fileURLToPath(new URL('../dist/states.js', import.meta.url))
  const text = `import { image, machine } from '${states}'
export const blank = machine('blank', { image: image.blank('1 GiB') })
export const first = blank.state('first', async (vm) => { await vm.$\`true\` })
export const second = first.live('second', async (vm) => { await vm.$\`true\` })
`
  await writeFile(join(directory, 'states.ts'), text)
}

/** Whole commands against the start of Node by itself. */
export async function commands(directory: string): Promise<Comparison[]> {
  const disk = join(directory, 'show.qcow2')
  await createBlank(disk, 2 ** 30)
  for (const tag of ['clean', 'installed']) await snapshotCreate(disk, tag)
  const project = join(directory, 'project')
  await makeProject(project)
  const large = join(directory, 'large')
  await makeLargeProject(large)
  const empty = { name: 'node', run: () => run(directory, '-e', '0') }
  return [
    {
      title: '`states show IMAGE` against an empty `node -e 0`',
      ours: { name: 'show', run: () => run(directory, COMMAND, 'show', disk) },
      against: empty,
      limit: 4,
    },
    {
      title: `\`states list\` with ${STATES} states in the store against an empty \`node -e 0\``,
      ours: { name: 'list', run: () => run(project, COMMAND, 'list') },
      against: empty,
      limit: 8,
    },
    {
      title: `\`states graph\` of ${LARGE} states, all of them built, against an empty \`node -e 0\``,
      ours: { name: 'graph', run: () => run(large, COMMAND, 'graph') },
      against: empty,
      limit: 10,
    },
  ]
}
