import { runInThisContext } from 'node:vm'

/**
 * `await using` needs these symbols. Node 20 defines them in its main context alone, so that the pools
 * of Vitest that run tests in VM contexts lack them. Theirs have to be Node's own, by which file
 * handles are closed. Imported before any class that has such a method.
 */
for (const name of ['dispose', 'asyncDispose'] as const) {
  // `runInThisContext` always runs in the main one.
  if (Symbol[name] === undefined) {
    Object.defineProperty(Symbol, name, { value: runInThisContext(`Symbol.${name}`) })
  }
}
