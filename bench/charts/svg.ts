// Owns SVG as text: elements, escaped text, and the frame and colours that all charts share.

export type Attributes = Readonly<Record<string, string | number>>

/** Children are elements already; text goes through `text`. */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${show(value)}"`)
  const head = `<${name}${written.join('')}`
  return children.length === 0 ? `${head}/>` : `${head}>${children.join('')}</${name}>`
}

export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, escapeXml(content))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;'
}

/** For text and for attributes in quotes; characters that no XML may hold become U+FFFD. */
export function escapeXml(content: string): string {
  return content
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, character => entities[character] as string)
}

// Tenths of a pixel are finer than a screen.
function show(value: string | number): string {
  return typeof value === 'number' ? `${Math.round(value * 10) / 10}` : escapeXml(value)
}

interface Palette {
  paper: string
  ink: string
  quiet: string
  grid: string
  bar: string
  /** The first one is heliostat's in bar charts, too. */
  lines: readonly string[]
}

const light: Palette = {
  paper: '#ffffff',
  ink: '#1f2328',
  quiet: '#59636e',
  grid: '#d8dee4',
  bar: '#a8b1bb',
  lines: ['#0a6cb4', '#9a6700', '#6e7781', '#1a7f37', '#8250df', '#bf3989']
}

const dark: Palette = {
  paper: '#0d1117',
  ink: '#e6edf3',
  quiet: '#9198a1',
  grid: '#2d333b',
  bar: '#59636e',
  lines: ['#58a6ff', '#d29922', '#9198a1', '#3fb950', '#bc8cff', '#f778ba']
}

export const lineColours = light.lines.length

function rules({ paper, ink, quiet, grid, bar, lines }: Palette): string {
  const [own] = lines
  return [
    `.paper{fill:${paper};stroke:${grid}}`,
    `text{fill:${ink}}.quiet{fill:${quiet}}.grid{stroke:${grid}}.whisker{stroke:${ink}}`,
    `.bar{fill:${bar}}.own{fill:${own}}`,
    ...lines.map((line, number) => `.c${number}{stroke:${line}}.dot.c${number}{fill:${line}}`)
  ].join('\n')
}

// A page may be dark while the reader's system is light, so a chart has a paper of its own. No custom properties:
// not every viewer knows them.
const style = `
text{font:12px system-ui,"Segoe UI",Helvetica,Arial,sans-serif}
text.title{font-size:15px;font-weight:600}
.whisker,.curve{fill:none}
.curve{stroke-width:2}
${rules(light)}
@media (prefers-color-scheme:dark){
${rules(dark)}
}
`

export const width = 720
/** Between the paper's edge and what is drawn. */
export const margin = 20
/** Where the drawing begins, below title and note. */
export const top = 64

/** A whole chart: `description` says in words what it shows, for those who cannot see it. */
export function page(
  {
    title,
    note,
    description,
    height
  }: Record<'title' | 'note' | 'description', string> & {
    height: number
  },
  ...children: string[]
): string {
  const size = { width, height, viewBox: `0 0 ${width} ${height}` }
  const labels = { role: 'img', 'aria-labelledby': 'title description' }
  const paper = { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 6, class: 'paper' }
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', ...size, ...labels },
    element('title', { id: 'title' }, escapeXml(title)),
    element('desc', { id: 'description' }, escapeXml(description)),
    element('style', {}, style),
    element('rect', paper),
    text(title, { x: margin, y: 28, class: 'title' }),
    text(note, { x: margin, y: 47, class: 'quiet' }),
    ...children
  )}\n`
}

/** About how wide a text of the charts is drawn, in pixels. */
export function widthOf(content: string): number {
  return content.length * 6.7
}
