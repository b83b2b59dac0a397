// Our own few icons, drawn on a 16 px grid in the text's colour. Always beside a word or on a labelled button.
const paths: Record<string, string> = {
  overview: 'M2 2h5v6H2zM9 2h5v3H9zM9 7h5v7H9zM2 10h5v4H2z',
  projects: 'M8 1.500 14 4.500 8 7.500 2 4.500zM2 8l6 3 6-3M2 11.500l6 3 6-3',
  containers: 'M2 4.500h12v8H2zM5 4.500v8M8 4.500v8M11 4.500v8',
  images: 'M2 3h12v10H2zM2 10l3.500-3.500L9 10l2-2 3 3M11 5.500h.01',
  volumes: 'M2.500 4c0-2.700 11-2.700 11 0v8c0 2.700-11 2.700-11 0zM2.500 4c0 2.700 11 2.700 11 0M2.500 8c0 2.700 11 2.700 11 0',
  networks: 'M6 1.500h4v4H6zM1.500 10.500h4v4h-4zM10.500 10.500h4v4h-4zM8 5.500V8M3.500 10.500V8h9v2.500',
  events: 'M1.500 8h3l2-5 3 10 2-5h3',
  engine: 'M2 2.500h12v4.500H2zM2 9h12v4.500H2zM4.500 4.750h.01M4.500 11.250h.01', terminal: 'M2 3h12v10H2zM4.500 6l2 2-2 2M8.500 10.500h3',
  routes: 'M3.500 5.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM12.500 14.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM5.500 3.500H10a2.500 2.500 0 0 1 0 5H6a2 2 0 0 0 0 4h4.500',
  users: 'M6 7.500a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400zM1 14c.3-3 2.300-4.500 5-4.500s4.700 1.500 5 4.500M10.500 2.300a2.600 2.600 0 0 1 0 5M12.500 9.800c1.500.6 2.400 2 2.500 4.200',
  tokens: 'M5 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM7.500 7.500 14 1.500M11 4.500l2 2',
  audit: 'M3 1.500h7l3 3v10H3zM5.500 6h5M5.500 8.500h5M5.500 11h3',
  settings: 'M8 10.300a2.300 2.300 0 1 0 0-4.600 2.300 2.300 0 0 0 0 4.600zM8 1.500v2M8 12.500v2M1.500 8h2M12.500 8h2M3.400 3.400l1.400 1.400M11.200 11.200l1.400 1.400M3.400 12.600l1.400-1.400M11.200 4.800l1.400-1.400',
  play: 'M4 2.500l9 5.500-9 5.500z', stop: 'M3.500 3.500h9v9h-9z', pause: 'M4.500 3v10M11.500 3v10',
  restart: 'M13 8a5 5 0 1 1-1.500-3.600M13 1.800v3.200H9.800',
  trash: 'M2.500 4h11M6 4V2h4v2M4 4l.7 10h6.600L12 4M6.700 6.800v4.500M9.300 6.800v4.500',
  copy: 'M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3', logs: 'M2.500 3.500h11M2.500 6.500h7M2.500 9.500h11M2.500 12.500h5',
  more: 'M3.400 8h.2M7.900 8h.2M12.400 8h.2', search: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.500 10.500l3.500 3.500',
  close: 'M3.500 3.500l9 9M12.500 3.500l-9 9', down: 'M3.500 6l4.500 4.500L12.500 6', right: 'M6 3.500l4.500 4.500L6 12.500', plus: 'M8 3v10M3 8h10',
  download: 'M8 2v8.500M4.500 7.500 8 11l3.500-3.500M2.500 14h11', full: 'M2.500 6v-3.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10',
  link: 'M6.500 9.500l3-3M7 4.500l1.500-1.500a3 3 0 0 1 4.300 4.300L11.300 8.800M9 11.500 7.500 13a3 3 0 0 1-4.300-4.300l1.500-1.500',
  out: 'M9 2.500h4.500V7M13.500 2.500 7.500 8.500M11.500 9v4.500h-9v-9H7', menu: 'M2 4h12M2 8h12M2 12h12',
  moon: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z', sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  lock: 'M3.500 7h9v7h-9zM5.500 7V5a2.500 2.500 0 0 1 5 0v2', eye: 'M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  wrap: 'M2 3.500h12M2 8h9.500a2.200 2.200 0 0 1 0 4.500H8M9.700 10.700 8 12.500l1.700 1.700M2 12.500h3', check: 'M2.500 8.500 6.500 12.500 13.500 4', folder: 'M1.500 3.500h5l1.500 2h6.500v8h-13z', file: 'M3.500 1.500h6l3 3v10h-9zM9.500 1.500v3h3', key: 'M5 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM7.500 7.500 14 1.500M11 4.500l2 2',
};

export function Icon({ name, size = 16 }: { name: string; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={paths[name] ?? paths.more} />
    </svg>
  );
}

export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" class="logo-sea" />
      <path d="M7 19h18l-2.600 6.200a2 2 0 0 1-1.800 1.200H11.400a2 2 0 0 1-1.800-1.200z" fill="#fff" />
      <path d="M10 9.500h5V16h-5zM17 9.500h5V16h-5z" fill="#8fe0d8" />
      <path d="M13.500 4.500h5V8h-5z" fill="#fff" />
    </svg>
  );
}
