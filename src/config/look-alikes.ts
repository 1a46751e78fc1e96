// Characters that web pages and word processors print in place of the dashes, quotes and spaces of ASCII.

export const dashes: Readonly<Record<string, string>> = {
  '\u2010': 'hyphen',
  '\u2011': 'non-breaking hyphen',
  '\u2012': 'figure dash',
  '\u2013': 'en dash',
  '\u2014': 'em dash',
  '\u2015': 'horizontal bar',
  '\u2212': 'minus sign',
  '\ufe58': 'small em dash',
  '\ufe63': 'small hyphen-minus',
  '\uff0d': 'fullwidth hyphen-minus'
}

export const quotes: Readonly<Record<string, string>> = {
  '\u2018': 'left single quotation mark',
  '\u2019': 'right single quotation mark',
  '\u201a': 'single low-9 quotation mark',
  '\u201b': 'single high-reversed-9 quotation mark',
  '\u201c': 'left double quotation mark',
  '\u201d': 'right double quotation mark',
  '\u201e': 'double low-9 quotation mark',
  '\u201f': 'double high-reversed-9 quotation mark',
  '\u2032': 'prime',
  '\u2033': 'double prime',
  '\u00ab': 'left-pointing double angle quotation mark',
  '\u00bb': 'right-pointing double angle quotation mark',
  '\u2039': 'single left-pointing angle quotation mark',
  '\u203a': 'single right-pointing angle quotation mark',
  '\u00b4': 'acute accent',
  '\uff02': 'fullwidth quotation mark',
  '\uff07': 'fullwidth apostrophe'
}

export const spaces: Readonly<Record<string, string>> = {
  '\u00a0': 'no-break space',
  '\u2007': 'figure space',
  '\u2009': 'thin space',
  '\u200b': 'zero width space',
  '\u202f': 'narrow no-break space',
  '\u3000': 'ideographic space',
  '\ufeff': 'zero width no-break space',
  '\r': 'carriage return'
}

const names: Readonly<Record<string, string>> = { ...dashes, ...quotes, ...spaces }

/** The first of them in a text. */
export function findLookAlike(text: string): { at: number; name: string } | undefined {
  for (const [at, char] of [...text].entries()) {
    if (char in names) return { at, name: nameLookAlike(char) }
  }
  return undefined
}

/** `– (U+2013, en dash)`. What cannot be seen is not printed. */
export function nameLookAlike(char: string): string {
  const code = char.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
  return `${char in spaces ? '' : `${char} `}(U+${code}, ${names[char]})`
}
