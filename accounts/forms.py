"""Forms of this app's pages."""

from django import forms


class SignInForm(forms.Form):
    """Address and password; which of them is wrong is never said."""

    address = forms.CharField(max_length=320, strip=True)
    password = forms.CharField(max_length=1024, strip=False, widget=forms.PasswordInput)
