// xterm.js writes style elements at run time, which the page's policy refuses. Until the returned function is called a
// created style element is a hidden node whose text goes to a constructed sheet instead.
export function keepStylesOutOfLine(): () => void {
  const original = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    if (name.toLowerCase() !== 'style') return original(name, options);
    const sheet = new CSSStyleSheet();
    const stand = original('span');
    stand.hidden = true;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    Object.defineProperty(stand, 'textContent', { get: () => '', set: (text: string) => sheet.replaceSync(text) });
    Object.defineProperty(stand, 'sheet', { get: () => sheet });
    const remove = stand.remove.bind(stand);
    stand.remove = () => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
      remove();
    };
    return stand;
  }) as typeof document.createElement;
  return () => {
    document.createElement = original as typeof document.createElement;
  };
}
