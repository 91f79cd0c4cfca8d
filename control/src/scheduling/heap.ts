/** A heap of values by number, the smallest on top; `order` decides between equal numbers. */
export class Heap<T> {
  #items: [key: number, value: T][] = []
  readonly #order: (a: T, b: T) => number

  constructor(order: (a: T, b: T) => number) {
    this.#order = order
  }

  /** Replaces all that is in it, in linear time. */
  fill(items: [key: number, value: T][]): void {
    this.#items = items
    for (let index = (items.length >> 1) - 1; index >= 0; index -= 1) this.#sink(index)
  }

  top(): readonly [key: number, value: T] | undefined {
    return this.#items[0]
  }

  pop(): void {
    const last = this.#items.pop()
    if (!last || this.#items.length === 0) return
    this.#items[0] = last
    this.#sink(0)
  }

  replaceTop(key: number, value: T): void {
    this.#items[0] = [key, value]
    this.#sink(0)
  }

  #sink(from: number): void {
    const items = this.#items
    for (let index = from; ; ) {
      let least = index
      for (const child of [2 * index + 1, 2 * index + 2]) if (this.#before(child, least)) least = child
      if (least === index) return
      const [a, b] = [items[index], items[least]]
      if (a && b) {
        items[index] = b
        items[least] = a
      }
      index = least
    }
  }

  #before(first: number, second: number): boolean {
    const [a, b] = [this.#items[first], this.#items[second]]
    if (!a || !b) return false
    return a[0] !== b[0] ? a[0] < b[0] : this.#order(a[1], b[1]) < 0
  }
}
