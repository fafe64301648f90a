import { join } from 'node:path'
import { CompiledSources } from '../../support/compiled-sources.js'

/** The store's worker as Node can run it, for the processes that a test starts. */
export interface CompiledWorker {
  /** The path of the worker's program. */
  program: string
  remove(): Promise<void>
}

/** Compiles the worker, and the store that it uses, into a directory of its own. */
export async function compileWorker(): Promise<CompiledWorker> {
  const sources = await CompiledSources.open(['src/params', 'src/store', 'test/store/support'])
  return {
    program: join(sources.directory, 'test/store/support/worker.js'),
    remove: () => sources[Symbol.asyncDispose](),
  }
}
