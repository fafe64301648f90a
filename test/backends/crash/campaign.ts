import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { externalBackend } from '../../../src/backends/external/external-backend.js'
import { internalBackend } from '../../../src/backends/internal/internal-backend.js'
import { isVmStatesError } from '../../../src/params/errors.js'
import { Images } from '../images.js'

const backends = { internal: internalBackend, external: externalBackend }

/** An operation on two images that is killed, and what must be true afterwards. */
export interface CrashCase {
  backend: keyof typeof backends
  operation: 'get' | 'set' | 'unset'
  /** `clean` is a state when the operation begins, `new` is none. */
  tag: 'clean' | 'new'
}

/** Every operation that changes something. */
export const crashCases: readonly CrashCase[] = (['internal', 'external'] as const).flatMap(
  (backend): CrashCase[] => [
    { backend, operation: 'set', tag: 'new' },
    { backend, operation: 'set', tag: 'clean' },
    { backend, operation: 'get', tag: 'clean' },
    { backend, operation: 'unset', tag: 'clean' },
  ],
)

const CURRENT = [3, 4]
const CLEAN = [1, 2]

/**
 * Kills an operation right before one of its steps, and checks that the old or the new state is
 * whole and the next commands work.
 *
 * @param sources - the directory of the compiled sources
 * @returns false if the operation ended before it came to that step
 */
export async function killAtStep(
  sources: string,
  { backend: name, operation, tag }: CrashCase,
  step: number,
): Promise<boolean> {
  await using images = await Images.open()
  const backend = backends[name]
  const files = [images.create('a.qcow2', 1), images.create('b.qcow2', 2)]
  const target = images.target(...files)
  const contents = (): Promise<number[]> => Promise.all(files.map((file) => images.read(file)))
  await backend.set(target, 'clean')
  for (const [index, file] of files.entries()) images.write(file, CURRENT[index] ?? 0)

  const script = fileURLToPath(new URL('killed-child.js', import.meta.url))
  const args = [script, sources, name, operation, tag, String(step), ...files]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code, signal] = await once(child, 'exit')
  if (signal !== 'SIGKILL') expect(code).toBe(0)

  const seen = (await backend.show(target)).map(({ name }) => name)
  await patiently(() => backend.set(target, 'next'))
  const current = await contents()
  if (operation === 'get') expect([CURRENT, CLEAN]).toContainEqual(current)
  else expect(current).toEqual(CURRENT)

  const shown = (await backend.show(target)).map(({ name }) => name)
  for (const state of shown) {
    if (state === 'next') continue
    await patiently(() => backend.get(target, state))
    if (state === 'new') expect(await contents()).toEqual(CURRENT)
    else if (operation === 'set') expect([CURRENT, CLEAN]).toContainEqual(await contents())
    else expect(await contents()).toEqual(CLEAN)
  }
  if (operation !== 'unset') expect(shown).toContain('clean')
  if (signal !== 'SIGKILL') expect(seen.includes(tag)).toBe(operation !== 'unset')
  await patiently(() => backend.unset(target, 'next', { withChildren: true }))
  await patiently(() => backend.set(target, 'last'))
  expect((await images.files()).filter((file) => file.startsWith('.'))).toEqual([])
  return signal === 'SIGKILL'
}

/** A qemu-img that outlives the process which started it may hold an image a little longer. */
async function patiently(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isVmStatesError(error, 'IMAGE_IN_USE')) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}
