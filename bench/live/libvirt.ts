import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, chown, copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createOverlay } from '../../src/qemu/qemu-img/create.js'
import type { TinyGuest } from '../../test/support/tiny.js'
import { inEmergency, startChild } from './children.js'
import { GUEST_AGENT } from './guest.js'

/** Whom libvirt runs as where root starts it: its session mode leaves the system alone. */
const NOBODY = 65534

const TRIES = 200

/** Milliseconds that a guest gets to boot until its agent answers. */
const BOOT_TIMEOUT = 120_000

interface Domain {
  name: string
  /** Bytes of RAM. */
  memory: number
  guest: TinyGuest
}

/**
 * A libvirtd of the benchmark's own in session mode, with everything that it writes in one directory.
 * It has no security driver and no control groups to care for, so that it is rather faster than a
 * system's.
 */
export class Libvirt implements AsyncDisposable {
  readonly #directory: string
  readonly #asUser: readonly string[]
  readonly #environment: NodeJS.ProcessEnv
  #stop: () => Promise<void> = async () => {}

  private constructor(directory: string) {
    this.#directory = directory
    const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
    this.#asUser = process.getuid?.() === 0 ? ['setpriv', ...ids, '--'] : []
    const place = (name: string) => join(directory, name)
    this.#environment = {
      ...process.env,
      HOME: place('home'),
      XDG_CONFIG_HOME: place('config'),
      XDG_RUNTIME_DIR: place('run'),
      XDG_CACHE_HOME: place('cache'),
      XDG_DATA_HOME: place('data'),
    }
  }

  /** Starts it, and waits until it answers. */
  static async start(directory: string): Promise<Libvirt> {
    const libvirt = new Libvirt(directory)
    for (const name of ['config/libvirt', 'home', 'run', 'cache', 'data', 'disks']) {
      await mkdir(join(directory, name), { recursive: true })
    }
    const settings = 'stdio_handler = "file"\nsecurity_driver = "none"\n'
    await writeFile(join(directory, 'config/libvirt/qemu.conf'), settings)
    await libvirt.#give('.', 'config', 'config/libvirt', 'home', 'run', 'cache', 'data', 'disks')
    const [file, ...args] = [...libvirt.#asUser, 'libvirtd']
    const child = startChild(file as string, args, {
      stdio: 'ignore',
      env: libvirt.#environment,
      cwd: directory,
    })
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
    })
    inEmergency(() => libvirt.#killMachines())
    libvirt.#stop = async () => {
      child.kill('SIGTERM')
      await ended
    }
    for (let tries = 0; ; tries += 1) {
      try {
        await libvirt.virsh('version')
        return libvirt
      } catch (error) {
        if (tries === TRIES) throw error
        await delay(50)
      }
    }
  }

  /** Runs one virsh command. @returns what it printed */
  async virsh(...args: string[]): Promise<string> {
    const [file, ...rest] = [...this.#asUser, 'virsh', '-q', '-c', 'qemu:///session', ...args]
    const options = { env: this.#environment, cwd: this.#directory }
    return (await promisify(execFile)(file as string, rest, options)).stdout
  }

  /** Boots a machine that is as ours are, and waits until its agent answers. */
  async boot(domain: Domain): Promise<LibvirtMachine> {
    const place = (file: string) => join(this.#directory, 'disks', basename(file))
    const { disk, directKernel } = domain.guest
    const files = [disk, directKernel.kernel, directKernel.initrd ?? []].flat()
    for (const file of files) {
      await copyFile(file, place(file))
      await chmod(place(file), 0o644)
    }
    const overlay = place(`${domain.name}.qcow2`)
    await createOverlay(overlay, { file: place(disk), format: 'qcow2' })
    const xml = place(`${domain.name}.xml`)
    await writeFile(xml, domainXml(domain, { overlay, place }))
    await this.#give(overlay, xml)
    await this.virsh('create', xml)
    const machine = new LibvirtMachine(this, domain.name, overlay)
    await machine.ping(BOOT_TIMEOUT)
    return machine
  }

  /** Ends it with what still runs: that of a measurement which has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
    this.#killMachines()
  }

  /** Machines outlive their libvirtd. */
  #killMachines(): void {
    const run = join(this.#directory, 'run/libvirt/qemu/run')
    for (const name of readdirSync(run).filter((name) => name.endsWith('.pid'))) {
      const pid = Number(readFileSync(join(run, name), 'utf8'))
      if (pid > 1) process.kill(pid, 'SIGKILL')
    }
  }

  async #give(...files: string[]): Promise<void> {
    if (this.#asUser.length === 0) return
    for (const file of files) {
      const path = file.startsWith('/') ? file : join(this.#directory, file)
      await chown(path, NOBODY, NOBODY)
    }
  }
}

/** A machine that libvirt runs. */
export class LibvirtMachine implements AsyncDisposable {
  readonly #libvirt: Libvirt
  readonly #name: string

  readonly #overlay: string

  constructor(libvirt: Libvirt, name: string, overlay: string) {
    this.#libvirt = libvirt
    this.#name = name
    this.#overlay = overlay
  }

  /**
   * Waits until the agent answers.
   *
   * @param timeout - milliseconds; by default it is to answer at once
   */
  async ping(timeout = 0): Promise<void> {
    const start = performance.now()
    for (;;) {
      try {
        await this.#agent('guest-ping')
        return
      } catch (error) {
        if (performance.now() - start >= timeout) throw error
      }
    }
  }

  /** Runs a shell script in the guest, and waits for its end. */
  async run(script: string): Promise<void> {
    const started = { path: '/bin/sh', arg: ['-ec', script] }
    const { pid } = (await this.#agent('guest-exec', started)) as { pid: number }
    for (;;) {
      const status = (await this.#agent('guest-exec-status', { pid })) as {
        exited: boolean
        exitcode?: number
      }
      if (status.exited && status.exitcode === 0) return
      if (status.exited) throw new Error(`${script}: exit code ${status.exitcode}`)
    }
  }

  async snapshot(tag: string): Promise<void> {
    await this.#libvirt.virsh('snapshot-create-as', this.#name, tag)
  }

  async revert(tag: string): Promise<void> {
    await this.#libvirt.virsh('snapshot-revert', this.#name, tag)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#libvirt.virsh('destroy', this.#name).catch(() => {})
    await rm(this.#overlay, { force: true })
  }

  async #agent(execute: string, args?: unknown): Promise<unknown> {
    const command = JSON.stringify({ execute, arguments: args })
    const answer = await this.#libvirt.virsh('qemu-agent-command', this.#name, command)
    return (JSON.parse(answer) as { return: unknown }).return
  }
}

function domainXml(
  { name, memory, guest: { directKernel } }: Domain,
  { overlay, place }: { overlay: string; place: (file: string) => string },
): string {
  return `<domain type='qemu'>
  <name>${name}</name>
  <memory unit='b'>${memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>${place(directKernel.kernel)}</kernel>
    <initrd>${place(directKernel.initrd ?? '')}</initrd>
    <cmdline>${directKernel.append ?? ''}</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='unsafe'/>
      <source file='${overlay}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <serial type='null'/>
    <channel type='unix'><source mode='bind' path='${place(`${name}.agent`)}'/><target type='virtio' name='${GUEST_AGENT}'/></channel>
    <memballoon model='none'/>
    <rng model='virtio'><backend model='builtin'/></rng>
  </devices>
</domain>
`
}
