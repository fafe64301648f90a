import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openStore } from '../../../../src/store/store.js'
import { makeStoreWithTiny } from '../../../support/store-with-tiny.js'

const ASKER = fileURLToPath(new URL('asker.js', import.meta.url))

/** What each process asks for, in turn: a branch, the other one, both. */
const QUESTIONS = [['left'], ['right'], ['left', 'right']] as const

/** The states of the chain, in the order of their names. */
export const STATES: readonly string[] = [
  'tiny/first',
  'tiny/left-fifth',
  'tiny/left-fourth',
  'tiny/right-fifth',
  'tiny/right-fourth',
  'tiny/second',
  'tiny/third',
]

/** What became of a race. */
export interface RaceResult {
  /** What all processes together built, in the order of the names. */
  built: readonly string[]
  /** The objects that each branch was for the processes: one, if all saw the same. */
  objects: Readonly<Record<string, number>>
  /** Objects in the store besides the image of the guest. */
  stored: number
  /** Locks, leases, runs and drafts that were left. */
  left: readonly string[]
}

interface Answer {
  built: string[]
  objects: Record<string, string[]>
}

/**
 * Has processes ask at one moment for the ends of a five-deep chain with two branches, of which
 * nothing is built.
 *
 * @param sources - the directory of the compiled sources
 */
export async function race(sources: string, processes: number): Promise<RaceResult> {
  const root = await mkdtemp(join(tmpdir(), 'vms-race-'))
  const children: ChildProcess[] = []
  try {
    await makeStoreWithTiny(root)
    const before = (await readdir(join(root, 'objects'))).length
    const askers = Array.from({ length: processes }, (_, index) => {
      const names = QUESTIONS[index % QUESTIONS.length] ?? []
      const child = spawn(process.execPath, [ASKER, sources, root, ...names], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      children.push(child)
      return start(child)
    })
    const ready = await Promise.all(askers)
    const answers = await Promise.all(ready.map((ask) => ask()))
    return await judge(root, before, answers)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await rm(root, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** @returns once it is ready: has it ask, and awaits its answer */
async function start(child: ChildProcess): Promise<() => Promise<Answer>> {
  if (child.stdout === null || child.stdin === null) throw new TypeError('it has pipes')
  const { stdin } = child
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exit = once(child, 'exit')
  const next = async () => {
    const { value } = await lines.next()
    if (value === undefined) throw new Error(`a process ended with ${(await exit)[0]}`)
    return value
  }
  await next()
  return async () => {
    stdin.write('go\n')
    const answer: Answer = JSON.parse(await next())
    await exit
    return answer
  }
}

async function judge(root: string, before: number, answers: Answer[]): Promise<RaceResult> {
  const ids = (name: string) =>
    new Set(answers.flatMap(({ objects }) => objects[name]?.join() ?? [])).size
  const store = await openStore(root)
  const listed = await Promise.all(
    ['runs', 'leases', 'locks'].map(async (folder) =>
      (await readdir(join(root, folder))).map((name) => `${folder}/${name}`),
    ),
  )
  const objects = await readdir(join(root, 'objects'))
  const drafts = objects.filter((name) => name.startsWith('.'))
  return {
    built: answers.flatMap(({ built }) => built).sort(),
    objects: { left: ids('left'), right: ids('right') },
    stored: (await store.objects.list()).length - before,
    left: [...listed.flat(), ...drafts],
  }
}
