import { launch } from '../../../src/qemu/machine/launch.js'

const tell = (line: string) => void process.stdout.write(`${line}\n`)

await launch({ ...JSON.parse(process.argv[2] ?? ''), onSpawn: (pid: number) => tell(String(pid)) })
tell('launched')
