/** Counts on the page what its policy forbade. Scripts that run before this one have nothing to forbid. */

const count = /** @type {HTMLOutputElement} */ (document.getElementById('violations'));

document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile, lineNumber }) => {
  count.value = String(Number(count.value) + 1);
  const line = document.createElement('li');
  line.textContent = `${effectiveDirective}: ${blockedURI} (${sourceFile}, line ${lineNumber})`;
  document.getElementById('list')?.append(line);
});
