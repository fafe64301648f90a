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

/** What is changed in an image before it boots for the first time. */
export const firstBootSchema = optionsSchema({
  hostname: hostNameSchema.optional(),
  /** In plain text. */
  rootPassword: z
    .string('a password is text')
    .regex(/^[^\n]+$/, 'a password is one line')
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

/** What is changed, with defaults filled in. */
export type FirstBoot = z.output<typeof firstBootSchema>
