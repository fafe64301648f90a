import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const project = fileURLToPath(new URL('../../../', import.meta.url))
const folders = ['src/params', 'src/store', 'test/store/support']

/** Our code as Node can run it, for the processes that a test starts. */
export interface CompiledWorker {
  /** The path of the worker's program. */
  program: string
  remove(): Promise<void>
}

/** Compiles the worker, and the store that it uses, into a directory of its own. */
export async function compileWorker(): Promise<CompiledWorker> {
  const directory = await mkdtemp(join(tmpdir(), 'store-worker-'))
  await chmod(directory, 0o755)
  for (const folder of folders) {
    for (const name of await readdir(join(project, folder), { recursive: true })) {
      if (name.endsWith('.ts')) await compile(join(folder, name), directory)
    }
  }
  await cp(join(project, 'package.json'), join(directory, 'package.json'))
  await symlink(join(project, 'node_modules'), join(directory, 'node_modules'))
  return {
    program: join(directory, 'test/store/support/worker.js'),
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

async function compile(file: string, directory: string): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile(join(project, file), 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  })
  const target = join(directory, file.replace(/\.ts$/, '.js'))
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, outputText)
}
