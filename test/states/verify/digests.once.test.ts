import { expect, test } from 'vitest'
import { keepDigests } from '../../../src/states/verify/digests.js'

test('digests that cannot be kept, as in a store on a read-only disk, are an error that says so', async () => {
  // Nobody may make files there, whoever runs the test.
  await expect(keepDigests('/sys/kernel', {})).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
    message: expect.stringContaining('/sys/kernel'),
  })
})
