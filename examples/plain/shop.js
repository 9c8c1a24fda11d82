const checkout = document.querySelector('tillgate-checkout');

// Where the result page leads home. Its origin is one of the server's storefront_origins.
checkout.returnUrl = new URL('#back', location.href).href;

// The methods are there once the element is defined.
await customElements.whenDefined('tillgate-checkout');
for (const button of document.querySelectorAll('[data-sku]')) {
  button.addEventListener('click', () => checkout.addLine(button.dataset.sku));
}

document.querySelector('.back').hidden = location.hash !== '#back';
