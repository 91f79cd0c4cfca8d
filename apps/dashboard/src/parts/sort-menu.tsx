import { NativeSelect } from '@mantine/core'

export interface Sorting<K extends string> {
  readonly key: K
  readonly isDescending: boolean
}

interface SortMenuProps<K extends string> {
  /** `containers`: for those who hear the page. */
  readonly noun: string
  readonly columns: readonly { readonly key: K; readonly label: string }[]
  /** null: as they come. */
  readonly sorting: Sorting<K> | null
  readonly onSort: (sorting: Sorting<K>) => void
}

/** What the headings of a table do, where there is no table: the platform's own menu, which a thumb can use. */
export function SortMenu<K extends string>({ noun, columns, sorting, onSort }: SortMenuProps<K>) {
  const choices = columns.flatMap(({ key, label }) => [
    { value: `${key} up`, label: `${label}, ascending`, sorting: { key, isDescending: false } },
    { value: `${key} down`, label: `${label}, descending`, sorting: { key, isDescending: true } },
  ])
  const value = sorting ? `${sorting.key} ${sorting.isDescending ? 'down' : 'up'}` : ''
  return (
    <NativeSelect
      size="xs"
      aria-label={`Order of the ${noun}`}
      data={[
        ...(sorting ? [] : [{ value: '', label: 'Sort by…' }]),
        ...choices.map(({ value, label }) => ({ value, label })),
      ]}
      value={value}
      onChange={({ currentTarget }) => {
        const chosen = choices.find((one) => one.value === currentTarget.value)
        if (chosen) onSort(chosen.sorting)
      }}
    />
  )
}
