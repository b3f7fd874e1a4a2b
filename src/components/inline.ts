const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as HTML, with `code` and **strong** marked up: what one-line properties and lab.yaml may use. */
export function inline(text: string): string {
  return text
    .replace(/[&<>"]/g, (char) => escapes[char] ?? char)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>');
}
