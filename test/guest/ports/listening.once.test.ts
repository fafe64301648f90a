import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accepts, canonicalAddress, parseListening } from '../../../src/guest/ports/listening.js'

// proc(5): as Linux 6.1 prints them; one established connection, which does not listen
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1234 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1235 1 0 100 0 0 10 0
   2: 0F02000A:0035 0202000A:C001 01 00000000:00000000 00:00000000 00000000     0        0 1236 1 0 100 0 0 10 0
`
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 000080FE00000000FF00545256341200:0035 00000000000000000000000000000000:0000 0A 00000000:00000000
`

test('the tables of the kernel are read', () => {
  expect(parseListening(TCP)).toEqual([
    { address: canonicalAddress('127.0.0.1'), port: 8080 },
    { address: canonicalAddress('0.0.0.0'), port: 22 },
  ])
  expect(parseListening(TCP6)).toEqual([
    { address: '::', port: 80 },
    { address: '::1', port: 631 },
    { address: canonicalAddress('fe80::5254:ff:12:3456'), port: 53 },
  ])
})

test('every IPv4 address and port is read as it is', () => {
  const octet = fc.integer({ min: 0, max: 255 })
  const address = fc.tuple(octet, octet, octet, octet)
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65_535 }), (octets, port) => {
      const hex = Buffer.from([...octets].reverse())
        .toString('hex')
        .toUpperCase()
      const line = `   0: ${hex}:${port.toString(16).padStart(4, '0')} 00000000:0000 0A 0:0`
      const [socket] = parseListening(line)
      expect(socket).toEqual({ address: canonicalAddress(octets.join('.')), port })
    }),
  )
})

describe('a connection reaches', () => {
  const socket = (address: string) => ({ address: canonicalAddress(address), port: 80 })
  test.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['0.0.0.0', '127.0.0.1', true],
    ['0.0.0.0', '10.0.2.15', true],
    ['::', '127.0.0.1', true],
    ['::', 'fe80::1', true],
    ['::1', '::1', true],
    ['10.0.2.15', '127.0.0.1', false],
    ['127.0.0.1', '10.0.2.15', false],
    ['::1', '127.0.0.1', false],
    ['0.0.0.0', '::1', false],
  ])('a socket that listens on %s through %s: %s', (listening, host, reached) => {
    expect(accepts(socket(listening), host, 80)).toBe(reached)
    expect(accepts(socket(listening), host, 81)).toBe(false)
  })
})
