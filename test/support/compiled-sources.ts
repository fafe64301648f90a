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

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Our code as JavaScript, for processes that should start as fast as a user's do. */
export class CompiledSources implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  /** @param folders - of this project, what is compiled */
  static async open(folders: readonly string[] = ['src']): Promise<CompiledSources> {
    const directory = await mkdtemp(join(tmpdir(), 'compiled-'))
    // Some of the processes are another user's.
    await chmod(directory, 0o755)
    for (const folder of folders) {
      for (const name of await readdir(join(root, folder), { recursive: true })) {
        if (name.endsWith('.ts')) await compile(join(folder, name), directory)
      }
    }
    await cp(join(root, 'package.json'), join(directory, 'package.json'))
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
    return new CompiledSources(directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }
}

async function compile(path: string, directory: string): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile(join(root, path), 'utf8'), {
    // Unless told so, it takes every file for ./module.ts, also one that imports that.
    fileName: path,
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  })
  const file = join(directory, path.replace(/\.ts$/, '.js'))
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, outputText)
}
