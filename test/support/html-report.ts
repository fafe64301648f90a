import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { chromium, type Page } from 'playwright-core'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}

/**
 * Opens an HTML report of Vitest's in a headless Chromium, served as any web server would.
 *
 * @param directory - that of its `index.html`
 */
export async function openReport(directory: string): Promise<AsyncDisposable & { page: Page }> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const path = pathname.endsWith('/') ? `${pathname}index.html` : decodeURIComponent(pathname)
    const type = TYPES[extname(path)] ?? 'application/octet-stream'
    const bytes = await readFile(join(directory, path)).catch(() => undefined)
    response.writeHead(bytes === undefined ? 404 : 200, { 'content-type': type }).end(bytes)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Its sandbox refuses to run as root.
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
    timeout: 120_000,
  })
  const page = await browser.newPage()
  const { port } = server.address() as AddressInfo
  await page.goto(`http://127.0.0.1:${port}/`, { timeout: 120_000 })
  return {
    page,
    async [Symbol.asyncDispose]() {
      await browser.close()
      server.close()
    },
  }
}
