// node scripts/campaigns/transfers.mjs [tiny|debian] [agent|ssh] [MIB] [OUTPUT_MIB]
//
// Uploads a file of random bytes of 1 GiB into a booted guest, downloads it again, and has a command print
// 100 MiB that are taken as they come. Tells how fast each went. Ends with 1 if a hash is not the same.
import { createHash, randomFillSync } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { timed, withBooted } from './guest/booted.mjs'

const MIB = 2 ** 20
const [guest = 'tiny', channel = 'agent', size = '1024', printed = '100'] = process.argv.slice(2)

/** Writes random bytes, and returns their hash. */
async function writeRandom(path, mebibytes) {
  const hash = createHash('sha256')
  const block = Buffer.alloc(MIB)
  const file = await open(path, 'wx')
  for (let index = 0; index < mebibytes; index++) {
    randomFillSync(block)
    hash.update(block)
    await file.write(block)
  }
  await file.close()
  return hash.digest('hex')
}

async function hashOf(stream) {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk)
  return hash.digest('hex')
}

function requireSame(what, seen, right) {
  if (seen !== right) throw new Error(`${what} has the hash ${seen} instead of ${right}`)
}

function tell(what, mebibytes, seconds) {
  const speed = (mebibytes / seconds).toFixed(1)
  console.log(
    `${guest}, ${channel}: ${what}, ${mebibytes} MiB: ${seconds.toFixed(1)} s, ${speed} MiB/s`,
  )
}

await withBooted(guest, channel, async (vm, directory) => {
  const here = join(directory, 'large')
  const right = await writeRandom(here, Number(size))
  await vm.$`mkfs.ext2 -q /dev/vdb 2>/dev/null || mke2fs /dev/vdb >/dev/null; mkdir -p /mnt/scratch; mount /dev/vdb /mnt/scratch`
  const up = await timed(() => vm.upload(here, '/mnt/scratch/large'))
  tell('up', Number(size), up.seconds)
  const sum = await timed(() => vm.$`sha256sum </mnt/scratch/large`)
  requireSame('the file in the guest', sum.result.stdout.split(' ')[0], right)
  const back = join(directory, 'back')
  const down = await timed(() => vm.download('/mnt/scratch/large', back))
  tell('down', Number(size), down.seconds)
  requireSame('the file that came back', await hashOf(createReadStream(back)), right)

  const hash = createHash('sha256')
  const args = ['-c', String(Number(printed) * MIB), '/mnt/scratch/large']
  const onStdout = (chunk) => hash.update(chunk)
  const output = await timed(() => vm.exec('head', args, { onStdout }))
  tell('output', Number(printed), output.seconds)
  const end = Number(printed) * MIB - 1
  requireSame('the output', hash.digest('hex'), await hashOf(createReadStream(here, { end })))
})
