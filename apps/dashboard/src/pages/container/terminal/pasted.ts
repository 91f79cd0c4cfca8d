/** What may be typed for somebody: control characters of a page that one copied from are not. */
export function harmless(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\r\n/g, '\n').replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '')
}

/** Whether it would run something at once, without another key being pressed. */
export function runsAtOnce(text: string): boolean {
  return /[\r\n]/.test(text)
}
