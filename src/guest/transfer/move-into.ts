import { chmod, cp, lstat, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Gives something the place of a file that is there, or is not. A folder's content is added to a folder that is there
 * already, where it takes the place of what has its name.
 *
 * @param modes - of directories in `content`, the innermost first, by their paths in it
 * @throws Error if a folder is in the place of something else, or something else in that of a folder; nothing is moved then
 */
export async function moveInto(target: string, content: string, modes: Modes): Promise<void> {
  const isFolder = (await lstat(content)).isDirectory()
  if (isFolder && (await stat(target).catch(() => undefined))?.isDirectory()) {
    const plan: Plan = { moves: [], merged: new Set() }
    await planMerge(content, target, plan)
    for (const [from, to] of plan.moves) await move(from, to)
    await giveModes(
      target,
      modes.filter(([path]) => !plan.merged.has(join(target, path))),
    )
  } else {
    await rename(content, target)
    await giveModes(target, modes)
  }
}

/** A folder may be, or have in it, where another filesystem is mounted. */
async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV') throw error
    await rm(to, { force: true })
    await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  })
}

type Modes = readonly (readonly [path: string, mode: number])[]

async function giveModes(target: string, modes: Modes): Promise<void> {
  for (const [path, mode] of modes) await chmod(join(target, path), mode)
}

/** How a folder gets what another one has. */
interface Plan {
  moves: [from: string, to: string][]
  /** Folders that were there, and keep their modes. */
  merged: Set<string>
}

async function planMerge(from: string, to: string, plan: Plan): Promise<void> {
  plan.merged.add(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    const there = await lstat(target).catch(() => undefined)
    if (entry.isDirectory() && there?.isDirectory()) {
      await planMerge(source, target, plan)
    } else {
      if (there?.isDirectory()) throw new Error(`${target} is a directory`)
      if (there !== undefined && entry.isDirectory()) throw new Error(`${target} is no directory`)
      plan.moves.push([source, target])
    }
  }
}
