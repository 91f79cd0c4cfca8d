/** Known to every RUN when the user gives them, without being declared. */
const predefined = new Set(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
)

/** The arguments of one build: what the user gave, and what the Dockerfile has declared so far. */
export class BuildArgs {
  readonly #given: Readonly<Record<string, string>>
  readonly #meta = new Map<string, string | undefined>()
  readonly #declaredEver = new Set<string>()
  #declared = new Map<string, string | undefined>()

  constructor(given: Readonly<Record<string, string>>) {
    this.#given = given
  }

  declareMeta(name: string, value: string | undefined): void {
    this.#declaredEver.add(name)
    this.#meta.set(name, value)
  }

  declare(name: string, value: string | undefined): void {
    this.#declaredEver.add(name)
    this.#declared.set(name, value)
  }

  /** What a stage declares is known in it only. */
  beginStage(): void {
    this.#declared = new Map()
  }

  /** `name=value` of those before the first FROM. */
  meta(): string[] {
    return [...this.#meta].flatMap(([name, value]) => {
      const now = this.#givenOf(name) ?? value
      return now === undefined ? [] : [`${name}=${now}`]
    })
  }

  /** `name=value` of those that a step sees: a variable of the image's environment hides an argument. */
  seenBy(env: readonly string[]): string[] {
    const hidden = new Set(env.map((each) => each.split('=', 1)[0]))
    const names = new Set([
      ...this.#declared.keys(),
      ...Object.keys(this.#given).filter((name) => predefined.has(name)),
    ])
    return [...names].sort().flatMap((name) => {
      const value = this.#givenOf(name) ?? this.#declared.get(name) ?? this.#meta.get(name)
      return value === undefined || hidden.has(name) ? [] : [`${name}=${value}`]
    })
  }

  /** Whether an argument is only one of those that everybody may give: then it makes no difference to what was built. */
  isBackground(name: string): boolean {
    return predefined.has(name) && !this.#declaredEver.has(name)
  }

  unused(): string[] {
    return Object.keys(this.#given)
      .filter((name) => !this.#declaredEver.has(name) && !predefined.has(name))
      .sort()
  }

  #givenOf(name: string): string | undefined {
    return Object.hasOwn(this.#given, name) ? this.#given[name] : undefined
  }
}
