(() => {
  const tip = document.createElement('div');
  tip.id = 'tip';
  tip.setAttribute('role', 'status');
  document.body.append(tip);
  for (const title of document.querySelectorAll('svg title')) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  document.addEventListener('pointermove', (event) => {
    const mark = event.target.closest && event.target.closest('[data-tip]');
    tip.classList.toggle('on', Boolean(mark));
    if (!mark) return;
    tip.textContent = mark.dataset.tip;
    const left = event.clientX + 16 + tip.offsetWidth > innerWidth ? event.clientX - 16 - tip.offsetWidth
      : event.clientX + 16;
    const top = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8);
    tip.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') tip.classList.remove('on');
  });
})();
