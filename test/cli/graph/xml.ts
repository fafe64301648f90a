/** An element of a picture, in the order of the text. */
export interface Element {
  name: string
  attributes: Record<string, string>
  /** Its own text, without that of the elements in it. */
  text: string
  children: Element[]
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

const TOKEN =
  /<\/(?<closing>[a-z]+)>|<(?<opening>[a-z]+)(?<attributes>(?: [a-zA-Z:-]+="[^"<]*")*)(?<empty>\/?)>|(?<text>[^<]+)/gy

/** Reads XML strictly, as far as pictures need it: throws for whatever is not well-formed. */
export function readXml(xml: string): Element {
  const top: Element = { name: '', attributes: {}, text: '', children: [] }
  const open = [top]
  let end = 0
  for (const match of xml.matchAll(TOKEN)) {
    const { closing, opening, attributes = '', empty, text } = match.groups ?? {}
    const inner = open.at(-1) as Element
    end = match.index + match[0].length
    if (text !== undefined) inner.text += decode(text)
    else if (closing !== undefined) {
      if (open.pop()?.name !== closing) throw new Error(`</${closing}> closes nothing`)
    } else {
      const element = { name: opening ?? '', attributes: read(attributes), text: '', children: [] }
      inner.children.push(element)
      if (empty === '') open.push(element)
    }
  }
  if (end !== xml.length) throw new Error(`no XML: ${xml.slice(end, end + 80)}`)
  const [root] = top.children
  if (open.length !== 1 || root === undefined) throw new Error('an element is not closed')
  return root
}

/** An element and all that is in it. */
export function elements(root: Element): Element[] {
  return [root, ...root.children.flatMap(elements)]
}

function read(attributes: string): Record<string, string> {
  const found = attributes.matchAll(/ ([a-zA-Z:-]+)="([^"]*)"/g)
  return Object.fromEntries([...found].map(([, name, value = '']) => [name, decode(value)]))
}

function decode(text: string): string {
  // What XML 1.0 cannot hold at all.
  if (/(?!\n)\p{Cc}|\p{Cs}|[\ufffe\uffff]/u.test(text)) throw new Error('no character')
  return text.replace(/&([a-z]*;?)/g, (_, entity: string) => {
    const character = ENTITIES[entity.replace(';', '')]
    if (character === undefined || !entity.endsWith(';')) throw new Error(`&${entity}`)
    return character
  })
}
