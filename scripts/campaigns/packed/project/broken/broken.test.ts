import { test as base } from 'vitest'
import { vm } from 'vitest-vm-states'
import { broken } from '../vm/states.js'

const test = base.extend('vm', vm(broken))
test('is the first that needs it', async ({ vm }) => void vm)
test('needs it too', async ({ vm }) => void vm)
base('does not need it', () => {})
