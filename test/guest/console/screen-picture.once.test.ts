import fc from 'fast-check'
import { expect, it } from 'vitest'
import { screenPicture } from '../../../src/guest/console/screen-picture.js'

it('is an SVG with a line of text for each of the screen', () => {
  const picture = screenPicture('login: <root> & co\n  indented')
  expect(picture).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="692" height="56">/)
  expect(picture).toContain('xml:space="preserve">login: &lt;root&gt; &amp; co</text>')
  expect(picture).toContain('xml:space="preserve">  indented</text>')
})

it('has nothing that is no XML, whatever the screen holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (screen) => {
      const texts = screenPicture(screen).match(/preserve">.*<\/text>/gu) ?? []
      for (const text of texts) {
        expect(text.slice('preserve">'.length, -'</text>'.length)).not.toMatch(
          /[<>\p{Surrogate}\ufffe\uffff]|&(?!amp;|lt;|gt;)/u,
        )
      }
    }),
  )
})
