import { z } from 'zod'
import { hostNameSchema, sshKeySchema } from './cloud-init.js'
import { optionsSchema } from './options.js'

const PATH = 'a path in the guest is absolute, without ".."'

function isPath(path: string): boolean {
  return /^(\/[^/\0]+)+$/.test(path) && !/\/\.\.?(\/|$)/.test(path)
}

const MODE = 'a mode is a number from 0 to 0o7777, such as 0o755'

const fileSchema = z.union(
  [
    z.string(),
    z.strictObject({
      content: z.string(),
      mode: z.number(MODE).int(MODE).min(0, MODE).max(0o7777, MODE).optional(),
    }),
  ],
  'a file is its text, or { content, mode }',
)

const INTERFACE = 'an interface is "dhcp", or { address, gateway }'

const interfaceSchema = z.union(
  [
    z.literal('dhcp'),
    z.strictObject({
      address: z.cidrv4('an address has its prefix, such as "10.0.0.2/24"'),
      gateway: z.ipv4('a gateway is an address, such as "10.0.0.1"').optional(),
    }),
  ],
  INTERFACE,
)

/** As Linux calls a network interface. */
const INTERFACE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,14}$/

/** What is changed in an image before it boots for the first time. */
export const firstBootSchema = optionsSchema({
  hostname: hostNameSchema.optional(),
  /** In plain text. */
  rootPassword: z
    .string('a password is text')
    .regex(/^[^\n]+$/, 'a password is one line')
    .optional(),
  /** Network interfaces by name, for what sets them up in the image. */
  interfaces: z
    .record(z.string(), interfaceSchema)
    .check(({ value, issues }) => {
      for (const name of Object.keys(value)) {
        if (INTERFACE_NAME.test(name)) continue
        const message = 'the name of an interface is one such as "eth0"'
        issues.push({ code: 'custom', input: name, path: [name], message })
      }
    })
    .optional(),
  /** For root. */
  sshKeys: z.array(sshKeySchema).default([]),
  /** By absolute path. They belong to root. */
  files: z
    .record(z.string(), fileSchema)
    .check(({ value, issues }) => {
      for (const path of Object.keys(value)) {
        if (isPath(path)) continue
        issues.push({ code: 'custom', input: path, path: [path], message: PATH })
      }
    })
    .default({}),
  /** Lines for the guest's own shell, as root, in this order and after all else. */
  run: z.array(z.string('a command is a line for the shell')).default([]),
})

/** How a network interface gets its IPv4 address. */
export type FirstBootInterface = z.output<typeof interfaceSchema>

/** What is changed, with defaults filled in. */
export type FirstBoot = z.output<typeof firstBootSchema>
