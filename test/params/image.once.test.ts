import { describe, expect, test } from 'vitest'
import { image } from '../../src/images/image.js'
import { imageSchema } from '../../src/params/image.js'
import { parse } from '../../src/params/parse.js'

const sha256 = 'AB'.repeat(32)
const check = (value: unknown) => parse(imageSchema, value, 'machine("debian").image')

describe('imageSchema', () => {
  test('takes what the image functions make', () => {
    expect(check(image.file('./disk.qcow2'))).toEqual({ kind: 'file', path: './disk.qcow2' })
    expect(check(image.file('/disk', { format: 'raw' }))).toEqual({
      kind: 'file',
      path: '/disk',
      format: 'raw',
    })
    expect(check(image.blank('1 GiB'))).toEqual({ kind: 'blank', size: 2 ** 30 })
    expect(check(image.tiny())).toEqual({ kind: 'tiny', arch: 'x86_64' })
  })

  test('writes checksums in lower case, so that one image has one key', () => {
    expect(check(image.url('https://example.org/disk.qcow2', { sha256 }))).toEqual({
      kind: 'url',
      url: 'https://example.org/disk.qcow2',
      sha256: sha256.toLowerCase(),
    })
  })

  test.each([
    [{ kind: 'file', path: '' }, 'image.path is "": a path cannot be empty'],
    [{ kind: 'file', path: 'a', format: 'vmdk' }, 'image.format is "vmdk": a format is "qcow2"'],
    [{ kind: 'url', url: 'file:///etc/passwd', sha256 }, 'a URL starts with http:// or https://'],
    [{ kind: 'url', url: 'https://a/b', sha256: 'abc' }, 'is "abc": a sha256 checksum is 64'],
    [{ kind: 'url', url: 'https://a/b' }, 'image.sha256 is nothing: a sha256 checksum is 64'],
    [{ kind: 'blank', size: 1000 }, 'image.size is 1000: a disk has a multiple of 512 bytes'],
    [{ kind: 'blank', size: 'big' }, 'image.size is "big": a size is a whole number of bytes'],
    [{ kind: 'blank', size: 0 }, 'image.size is 0: a size is a whole number of bytes from 1 on'],
    [{ kind: 'tiny', size: 1 }, 'the options are kind, arch'],
    [{ kind: 'iso' }, 'an image is made by image.file()'],
    ['disk.qcow2', 'an image is made by image.file()'],
  ])('refuses %j and says what would be right', (value, message) => {
    expect(() => check(value)).toThrow(message)
  })
})
