import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readDocument, root } from './documents.js'

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  'docs/guide.md',
  'docs/reference.md',
  'docs/compared.md',
]

interface Link {
  text: string
  path: string
  anchor: string | undefined
}

/** The links of a document to places in the repository; their paths from its root. */
function links(document: string): Link[] {
  const found = readDocument(document).matchAll(/\[([^\]]+)\]\(([^)#:]*)(?:#([^)]*))?\)/g)
  return [...found].map(([, text = '', path = '', anchor]) => ({
    text,
    path: path === '' ? document : join(dirname(document), path),
    anchor,
  }))
}

/** The anchors of a document's headings, as they are made by GitHub. */
function anchors(document: string): string[] {
  return [...readDocument(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe.each(DOCUMENTS)('%s', (document) => {
  test('links to what is there', () => {
    for (const { path, anchor } of links(document)) {
      expect(existsSync(join(root, path)), `${path} is not there`).toBe(true)
      if (anchor !== undefined) expect(anchors(path)).toContain(anchor)
    }
  })

  test('names tests that are there', () => {
    for (const { text, path } of links(document).filter(({ path }) => path.endsWith('.test.ts'))) {
      expect(readDocument(path), `${path} has no test "${text}"`).toContain(text)
    }
  })
})
