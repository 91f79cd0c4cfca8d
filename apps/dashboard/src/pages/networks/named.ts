/** What one calls an object that need not have a name. */
export function nameOf({ name, id }: { readonly name: string; readonly id: string }): string {
  return name === '' ? id.slice(0, 8) : name
}

/** For a field that chooses one of them. */
export function choicesOf(objects: readonly { readonly id: string; readonly name: string }[] = []) {
  return objects.map((object) => ({ value: object.id, label: nameOf(object) }))
}
