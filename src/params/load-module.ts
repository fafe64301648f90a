import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cacheDirectory } from './cache-directory.js'

/**
 * Imports a module that a user wrote, in TypeScript or JavaScript, on any Node that we support.
 * This package itself is always imported natively, so that there is one copy of its classes.
 *
 * @param file - absolute path
 * @param environment - says where the user's caches are; transformed code is kept there
 * @returns the module's exports
 * @throws whatever the module throws while it is evaluated
 */
export async function loadModule(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, unknown>> {
  if (/\.mjs$/.test(file))
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  // Required, since an import of its large file would have Node parse that twice.
  const { createJiti } = createRequire(import.meta.url)('jiti') as typeof import('jiti')
  const jiti = createJiti(file, {
    fsCache: join(cacheDirectory(environment), 'jiti'),
    interopDefault: false,
    nativeModules: ['vitest-vm-states'],
  })
  return await jiti.import<Record<string, unknown>>(file)
}
