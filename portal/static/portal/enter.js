// People need not press the button; what only reads the page (a mail scanner, a preview) opens nothing.
document.getElementById("enter").submit();
