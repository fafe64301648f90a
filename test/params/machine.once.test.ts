import { describe, expect, test } from 'vitest'
import { machineOptionsSchema } from '../../src/params/machine.js'
import { parse } from '../../src/params/parse.js'

const image = { kind: 'tiny' }
const machine = (options: object) =>
  parse(machineOptionsSchema, { image, ...options }, 'machine("debian")')

describe('the options of a machine', () => {
  test('have defaults for all but the image', () => {
    expect(machine({})).toEqual({
      image: { kind: 'tiny', arch: 'x86_64' },
      arch: 'x86_64',
      memory: 512 * 2 ** 20,
      cpus: 1,
      cpuModel: 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt',
      machineType: 'q35',
      firmware: 'bios',
      tpm: false,
      network: 'nat',
      console: 'ttyS0',
      guest: 'agent',
      sshUser: 'root',
      imageDisk: { bus: 'virtio', cache: 'unsafe' },
      disks: [],
      cdroms: [],
      hotplugPorts: 0,
      wrapper: [],
      extraFds: [],
      extraArgs: [],
      boot: 'live',
      clock: 'host',
      identity: 'saved',
      readyTimeout: 120_000,
      artifacts: { files: [] },
    })
    expect(() => parse(machineOptionsSchema, {}, 'machine("debian")')).toThrow(
      'machine("debian").image is nothing: ',
    )
  })

  test('take sizes as text or bytes', () => {
    const { memory, disks } = machine({ memory: '1 GiB', disks: [{ name: 'data', size: 2 ** 20 }] })
    expect(memory).toBe(2 ** 30)
    expect(disks).toMatchObject([{ name: 'data', size: 2 ** 20 }])
  })

  test.each([
    [{ memry: '1 GiB' }, '.memry is "1 GiB": did you mean "memory"?'],
    [{ memory: 500_000_000 }, '.memory is 500000000: memory is a multiple of 8 KiB'],
    [{ memory: '1 GB' }, '.memory is "1 GB": a size is '],
    [{ cpus: 0 }, '.cpus is 0: a machine has at least 1 CPU'],
    [{ cpus: 1.5 }, '.cpus is 1.5: the number of CPUs is a whole number'],
    [{ cpuModel: 'host' }, '.cpuModel is "host": the CPU models "host" and "max" differ'],
    [{ cpuModel: 'max,-sse4' }, '.cpuModel is "max,-sse4": the CPU models "host" and "max" differ'],
    [{ cpuModel: '-kvm' }, '.cpuModel is "-kvm": a CPU model is a name'],
    [{ machineType: 'q35,x=y' }, '.machineType is "q35,x=y": a machine type is a name'],
    [{ firmware: 'ovmf' }, '.firmware is "ovmf": firmware is "bios" or "uefi"'],
    [{ network: 'bridge' }, '.network is "bridge": a network is "nat", "isolated" or "none"'],
    [
      { guest: 'serial' },
      '.guest is "serial": a guest is talked to by "agent", "ssh" or "console"',
    ],
    [{ console: 'tty0' }, '.console is "tty0": a console is "ttyS0" to "ttyS3", or "hvc0"'],
    [{ consoleUser: 'a b' }, '.consoleUser is "a b": the name of a user'],
    [{ consolePassword: 'a\n' }, '.consolePassword is "(hidden)": a password is text without'],
    [{ guest: 'ssh', network: 'none' }, '.guest is "ssh": ssh needs a network'],
    [{ sshUser: 'a b' }, '.sshUser is "a b": the name of a user'],
    [{ sshUser: 'ada' }, '.sshUser is "ada": it goes with guest: "ssh", and guest is "agent"'],
    [{ guest: 'ssh', consoleUser: 'ada' }, '.consoleUser is "ada": it goes with guest: "console"'],
    [
      { consolePassword: 'secret' },
      '.consolePassword is "(hidden)": it goes with guest: "console"',
    ],
    [{ disks: [{ name: 'data' }] }, '.disks[0] is {"name":"data"}: a disk has either a size'],
    [{ disks: [{ name: '7', size: 512 }] }, '.disks[0].name is "7": a name cannot be all digits'],
    [{ disks: [{ name: 'image', size: 512 }] }, `.disks[0].name is "image": "image" is the disk`],
    [
      { disks: [{ name: 'variables', size: 512 }] },
      '.disks[0].name is "variables": "variables" is the disk',
    ],
    [{ disks: [{ name: 'a', size: 512, bus: 'ide' }] }, '.disks[0].bus is "ide": a bus is'],
    [{ imageDisk: { cache: 'fast' } }, '.imageDisk.cache is "fast": a cache is'],
    [
      { cdroms: [{ name: 'a', image, bus: 'usb' }] },
      '.cdroms[0].bus is "usb": the bus of a CD-ROM',
    ],
    [{ hotplugPorts: 9 }, '.hotplugPorts is 9: hotplugPorts is a whole number from 0 to 8'],
    [{ wrapper: [''] }, '.wrapper[0] is "": a wrapper is a command'],
    [{ extraFds: ['dev/null'] }, '.extraFds[0] is "dev/null": a file is an absolute path'],
    [{ disks: [{ name: 'a', size: 512, format: 'raw' }] }, '.disks[0].format is "raw": '],
    [
      { disks: [{ name: 'cidata', size: 512 }] },
      '.disks[0].name is "cidata": "cidata" is the disk that cloud-init reads',
    ],
    [{ boot: 'warm' }, '.boot is "warm": boot is "live" or "cold"'],
    [{ readyTimeout: 0 }, '.readyTimeout is 0: a timeout is'],
    [{ artifacts: { files: ['log'] } }, '.artifacts.files[0] is "log": a file in the guest is an'],
    [
      { artifacts: { files: ['/var/../log'] } },
      '.artifacts.files[0] is "/var/../log": a file in the guest is a path without',
    ],
  ])('%j are refused', (options, message) => {
    expect(() => machine(options)).toThrow(`machine("debian")${message}`)
  })

  test('refuse two disks of one name', () => {
    const disk = { name: 'data', size: 512 }
    expect(() => machine({ disks: [disk, disk] })).toThrow(
      'every disk and every CD-ROM needs a name of its own',
    )
  })

  test('name every mistake, one to a line', () => {
    expect(() => machine({ memory: 'much', cpus: 'two' })).toThrow(/\.memory is .*\n.*\.cpus is /)
  })
})
