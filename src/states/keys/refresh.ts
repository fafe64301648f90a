import { VmStatesError } from '../../params/errors.js'
import type { ParsedStateOptions } from '../../params/state.js'
import { withDeadline } from '../../qemu/deadline.js'

/** Milliseconds that a refresh may take: every command that needs the key waits for it. */
const DEADLINE = 60_000

type Refresh = NonNullable<ParsedStateOptions['refresh']>

/** States that share a function share its answer. */
const answers = new WeakMap<Refresh, Promise<string>>()

/**
 * Asks a state's `refresh` what the world is like now; once per process, so that a key stays what it
 * is while the process lives.
 *
 * @param name - the state, as people call it
 * @returns its answer, as JSON
 * @throws VmStatesError `REFRESH_FAILED` with what it threw as the cause; then it is asked again
 */
export async function refreshPart(refresh: Refresh, name: string): Promise<string> {
  let answer = answers.get(refresh)
  if (answer === undefined) {
    answer = ask(refresh, name)
    answers.set(refresh, answer)
  }
  try {
    return await answer
  } catch (cause) {
    answers.delete(refresh)
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new VmStatesError('REFRESH_FAILED', `the refresh of ${name} failed: ${reason}`, {
      cause,
      hint: 'Without its answer there is no key. Catch the error in it, and return something else, to go on without.',
    })
  }
}

async function ask(refresh: Refresh, name: string): Promise<string> {
  const work = Promise.resolve().then(refresh)
  const answer = await withDeadline(work, `the refresh of ${name}`, { timeout: DEADLINE })
  const json = JSON.stringify(answer) as string | undefined
  if (json === undefined) throw new TypeError(`it returned ${typeof answer}, which is no JSON`)
  return json
}
