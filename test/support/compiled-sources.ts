import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The sources as JavaScript, for processes that should start as fast as a user's do. */
export class CompiledSources implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  static async open(): Promise<CompiledSources> {
    const directory = await mkdtemp(join(tmpdir(), 'compiled-'))
    const source = join(root, 'src')
    const entries = await readdir(source, { recursive: true })
    for (const entry of entries.filter((name) => name.endsWith('.ts'))) {
      const { outputText } = ts.transpileModule(await readFile(join(source, entry), 'utf8'), {
        // Unless told so, it takes every file for ./module.ts, also one that imports that.
        fileName: entry,
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
      })
      const file = join(directory, 'src', entry.replace(/\.ts$/, '.js'))
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, outputText)
    }
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
    return new CompiledSources(directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true })
  }
}
