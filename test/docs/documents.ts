import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The root of the repository. */
export const root = resolve(import.meta.dirname, '../..')

/** The text of a document, by its path in the repository. */
export function readDocument(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** What a document shows in fenced blocks of a language. */
export function codeBlocks(text: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')
  return [...text.matchAll(fence)].map(([, code = '']) => code)
}
