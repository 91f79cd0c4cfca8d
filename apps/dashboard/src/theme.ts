import { createTheme, Loader, Menu, type MantineColorsTuple } from '@mantine/core'

/** Harbour blue-green: readable (WCAG AA) on white from shade 7 on, on the dark ground from shade 4 down. */
const harbour: MantineColorsTuple = [
  '#e5f6f8',
  '#cdeaee',
  '#9dd5dd',
  '#69bfcb',
  '#40acbb',
  '#1f97a8',
  '#128294',
  '#0b7285',
  '#075f70',
  '#034a58',
]

export const theme = createTheme({
  primaryColor: 'harbour',
  primaryShade: { light: 7, dark: 7 },
  colors: { harbour },
  autoContrast: true,
  defaultRadius: 'sm',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Its label is heard only of something that has a role.
    Loader: Loader.extend({ defaultProps: { role: 'status' } }),
    // The first item takes the focus, as the ARIA practices want it; an empty element before it is none that a menu may hold.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
  },
})
